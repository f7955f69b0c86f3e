import { codeOf } from "@odradek/protocol";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { handler } from "../request-context.ts";
import { AuthenticationError } from "../security/authentication-error.ts";

const nothing = Buffer.alloc(0);

export const saslAuthenticate = handler({
  api: SaslAuthenticate,
  refuse: (errorCode) => ({ errorCode, errorMessage: null, authBytes: nothing }),
  handle: ({ authBytes }, { connection }) => {
    try {
      const answer = connection.authentication.answer(authBytes);
      if (answer !== null) return { errorCode: 0, errorMessage: null, authBytes: answer };
      const errorMessage = "SaslAuthenticate request received after successful authentication";
      return { errorCode: codeOf("ILLEGAL_SASL_STATE"), errorMessage, authBytes: nothing };
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      // The client is told why, and that was its only chance on this connection.
      connection.closeBehindAnswer();
      return { errorCode: codeOf("SASL_AUTHENTICATION_FAILED"), errorMessage: error.message, authBytes: nothing };
    }
  },
});
