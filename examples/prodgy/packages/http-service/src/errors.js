/** A refusal that the caller is told: its status and message go into the answer. */
export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}
