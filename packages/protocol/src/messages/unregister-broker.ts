import { api, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * UnregisterBroker, api key 64: make a KRaft cluster forget a broker that was shut down for good (KIP-631).
 * An admin client sends it to a controller or to any broker, which forwards it.
 *
 * Source: UnregisterBrokerRequest.json, UnregisterBrokerResponse.json
 */
export const UnregisterBroker = api({
  name: "UnregisterBroker",
  key: 64,
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    /** BROKER_ID_NOT_REGISTERED when there is none of that id. */
    errorCode: int16,
    errorMessage: string.nullable(),
  },
});

export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>;
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>;
