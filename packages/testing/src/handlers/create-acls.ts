import { codeOf } from "@odradek/protocol";
import { CreateAcls } from "@odradek/protocol/messages/create-acls";
import { handler } from "../request-context.ts";

export const createAcls = handler({
  api: CreateAcls,
  refuse: (errorCode, { creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({ errorCode, errorMessage: null })),
  }),
  handle: ({ creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({
      errorCode: codeOf("SECURITY_DISABLED"),
      errorMessage: "No Authorizer is configured.",
    })),
  }),
});
