/** Thrown for a client that is not who it says; the message is what the client is told. */
export class AuthenticationError extends Error {}
