const QUESTION_LIMIT = 5;

/** The questions in a message, one per step: an agent asks the engine one thing at a time. */
export function plan(message) {
  const questions = message.match(/[^?]+\?|[^?]+$/g) ?? [];
  const steps = questions.map((question) => question.trim()).filter(Boolean);
  if (steps.length <= QUESTION_LIMIT) return steps;
  return [...steps.slice(0, QUESTION_LIMIT - 1), steps.slice(QUESTION_LIMIT - 1).join(' ')];
}

/**
 * Runs an agent on a message.
 *
 * @param {{agent: string, instructions: string, message: string}} task
 * @param {(question: object) => Promise<{answer: string, cached: boolean}>} ask
 * @returns the agent, the whole answer and the steps {question, answer, cached} it took
 */
export async function run({ agent, instructions, message }, ask) {
  const steps = [];
  for (const question of plan(message)) {
    const { answer, cached } = await ask({ agent, instructions, message: question });
    steps.push({ question, answer, cached });
  }
  return { agent, answer: steps.map((step) => step.answer).join('\n'), steps };
}
