// What the pages share: calls to the gateway, whose address config.json gives.
let token = sessionStorage.getItem('token');

export async function call(method, path, body) {
  const { gateway } = await (await fetch('/config.json')).json();
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(gateway + path, { method, headers, body: body && JSON.stringify(body) });
  const answer = response.status === 204 ? undefined : await response.json();
  if (!response.ok) throw new Error(answer.error ?? `status ${response.status}`);
  return answer;
}

export async function login(email, password) {
  ({ token } = await call('POST', '/api/login', { email, password }));
  sessionStorage.setItem('token', token);
}

/** Runs `action` with the form's fields on submit and shows its outcome in the form's <output>. */
export function onSubmit(form, action) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const output = form.querySelector('output');
    try {
      output.textContent = await action(Object.fromEntries(new FormData(form)));
    } catch (error) {
      output.textContent = error.message;
    }
  });
}
