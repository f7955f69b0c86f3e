import { codeOf } from "@odradek/protocol";
import { DeleteAcls } from "@odradek/protocol/messages/delete-acls";
import { handler } from "../request-context.ts";

export const deleteAcls = handler({
  api: DeleteAcls,
  refuse: (errorCode, { filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({ errorCode, errorMessage: null, matchingAcls: [] })),
  }),
  handle: ({ filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({
      errorCode: codeOf("SECURITY_DISABLED"),
      errorMessage: "No Authorizer is configured.",
      matchingAcls: [],
    })),
  }),
});
