import { call, login, onSubmit } from '/assets/gateway.js';

const form = (id) => document.getElementById(id);

onSubmit(form('login'), async ({ email, password }) => {
  await login(email, password);
  return `Signed in as ${email}`;
});

onSubmit(form('ask'), async ({ message }) => (await call('POST', '/api/playground/messages', { message })).answer);
