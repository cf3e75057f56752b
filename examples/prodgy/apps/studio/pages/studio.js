import { call, login, onSubmit } from '/assets/gateway.js';

const form = (id) => document.getElementById(id);

onSubmit(form('login'), async ({ email, password }) => {
  await login(email, password);
  const { agents } = await call('GET', '/api/agents');
  form('playground').elements.agent.replaceChildren(...agents.map(({ name }) => new Option(name)));
  return `Signed in as ${email}`;
});

onSubmit(form('playground'), async (fields) => (await call('POST', '/api/playground/messages', fields)).answer);

onSubmit(form('token'), async ({ name }) => {
  const { token } = await call('POST', '/api/tokens', { name });
  return `Copy it now, it is not shown again:\n${token}`;
});
