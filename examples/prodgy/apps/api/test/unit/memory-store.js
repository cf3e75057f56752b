/** What database.js does, in memory; `rows` shows what is kept. */
export function memoryStore(users) {
  const rows = { tokens: [], messages: [] };
  return {
    rows,
    userByEmail: async (email) => users.find((user) => user.email === email),
    userByTokenHash: async (hash) => {
      const row = rows.tokens.find((token) => token.hash === hash);
      return row && users.find((user) => user.id === row.userId);
    },
    addToken: async (userId, name, hash) => {
      rows.tokens.push({ id: rows.tokens.length + 1, userId, name, hash });
      return { id: rows.tokens.length, name };
    },
    tokens: async (userId) => rows.tokens.filter((token) => token.userId === userId).map(({ id, name }) => ({ id, name })),
    removeToken: async (userId, id) => {
      const index = rows.tokens.findIndex((token) => token.userId === userId && token.id === id);
      return index < 0 ? undefined : rows.tokens.splice(index, 1)[0];
    },
    agents: async () => [{ id: 1, name: 'helper', instructions: 'Help.' }],
    agentByName: async (name) => (name === 'helper' ? { id: 1, name, instructions: 'Help.' } : undefined),
    addMessage: async (userId, agent, message, answer) => {
      rows.messages.push({ userId, agent, message, answer });
      return { id: rows.messages.length, agent, message, answer };
    },
  };
}
