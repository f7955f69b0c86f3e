import { codeOf } from "@odradek/protocol";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { handler } from "../request-context.ts";

export const saslHandshake = handler({
  api: SaslHandshake,
  refuse: (errorCode) => ({ errorCode, mechanisms: [] }),
  handle: ({ mechanism }, { connection }) => {
    const { authentication } = connection;
    const error = authentication.begin(mechanism);
    return { errorCode: error === null ? 0 : codeOf(error), mechanisms: authentication.mechanisms };
  },
});
