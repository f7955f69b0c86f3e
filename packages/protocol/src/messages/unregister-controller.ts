import { api, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * UnregisterController, api key 94: make a KRaft cluster forget a controller that was shut down for good (Kafka 4.4).
 * An admin client sends it to a controller or to any broker, which forwards it.
 *
 * Source: UnregisterControllerRequest.json, UnregisterControllerResponse.json
 */
export const UnregisterController = api({
  name: "UnregisterController",
  key: 94,
  versions: [0, 0],
  flexible: 0,
  request: {
    controllerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    /** CONTROLLER_ID_NOT_REGISTERED when there is none of that id. */
    errorCode: int16,
    errorMessage: string.nullable(),
  },
});

export type UnregisterControllerRequest = RequestOf<typeof UnregisterController>;
export type UnregisterControllerResponse = ResponseOf<typeof UnregisterController>;
