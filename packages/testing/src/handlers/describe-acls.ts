import { codeOf } from "@odradek/protocol";
import { DescribeAcls } from "@odradek/protocol/messages/describe-acls";
import { handler } from "../request-context.ts";

/** There are no rules, since whoever is let in may do everything. */
export const describeAcls = handler({
  api: DescribeAcls,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, resources: [] }),
  handle: () => ({
    throttleTimeMs: 0,
    errorCode: codeOf("SECURITY_DISABLED"),
    errorMessage: "No Authorizer is configured on the broker",
    resources: [],
  }),
});
