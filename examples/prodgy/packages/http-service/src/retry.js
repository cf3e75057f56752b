import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `action` until it succeeds and returns its result.
 *
 * Services start in any order, so waiting for a dependency has no end of its own; `attempts` gives it one.
 */
export async function retry(action, { attempts = Infinity, delay = 500, onFailure = () => {} } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (attempt >= attempts) throw error;
      onFailure(error, attempt);
      await sleep(delay);
    }
  }
}
