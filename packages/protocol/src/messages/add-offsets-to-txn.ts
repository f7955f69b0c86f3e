import { api, int16, int32, int64, string } from "../schema.ts";

/** AddOffsetsToTxn, api key 25. */
export const AddOffsetsToTxn = api({
  name: "AddOffsetsToTxn",
  key: 25,
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
});
