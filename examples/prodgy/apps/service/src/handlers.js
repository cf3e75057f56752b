/**
 * What the worker can do: job type → function of (payload, attempt) to a result.
 *
 * A job may run more than once (at-least-once delivery), so every handler must bear repetition.
 */
export const handlers = {
  echo: async (payload) => payload,

  'count-words': async ({ text = '' }) => ({ words: String(text).split(/\s+/).filter(Boolean).length }),

  /** Fails `failures` times, then succeeds: what a retry is for. */
  flaky: async ({ failures = 1 }, attempt) => {
    if (attempt <= failures) throw new Error(`attempt ${attempt} of a job that fails ${failures} times`);
    return { attempt };
  },
};
