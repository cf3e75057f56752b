const TIMEOUT = 2500;

function withDeadline(promise, milliseconds) {
  let timer;
  const deadline = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

/**
 * Asks all dependencies at once.
 *
 * `dependencies` maps a name to a function that resolves when the dependency works. The answer's `dependencies` says
 * `ok` or `down` for each; the reasons go to `onDown(name, error)`, that is to the log, since /health is public.
 */
export async function checkHealth(dependencies, onDown = () => {}, timeout = TIMEOUT) {
  const states = await Promise.all(
    Object.entries(dependencies).map(async ([name, check]) => {
      try {
        await withDeadline(Promise.resolve().then(check), timeout);
        return [name, 'ok'];
      } catch (error) {
        onDown(name, error);
        return [name, 'down'];
      }
    }),
  );
  const healthy = states.every(([, state]) => state === 'ok');
  return { status: healthy ? 'ok' : 'unavailable', dependencies: Object.fromEntries(states) };
}
