/** One JSON object per line on standard output. Callers keep bodies, tokens and passwords out of it. */
export function createLogger(service, write = (line) => process.stdout.write(line)) {
  const at = (level) => (message, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, service, message, ...fields })}\n`);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
