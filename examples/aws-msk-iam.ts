import { KafkaProducer, string } from "odradek";
import { type AwsCredentials, AwsMskIam } from "./aws-msk-iam-mechanism.ts";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { needed } from "./needed.ts";

/** With the AWS SDK: `fromNodeProviderChain()` of `@aws-sdk/credential-providers`. */
function credentials(): AwsCredentials {
  const sessionToken = process.env["AWS_SESSION_TOKEN"];
  return {
    accessKeyId: needed("AWS_ACCESS_KEY_ID"),
    secretAccessKey: needed("AWS_SECRET_ACCESS_KEY"),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

/** Logs in to Amazon MSK with IAM, which listens on port 9098: `node dist/aws-msk-iam.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    ssl: true,
    sasl: { mechanism: new AwsMskIam({ region: needed("AWS_REGION"), credentials }) },
    valueSerializer: string,
  });
  const { partition, offset } = await producer.send({ topic, value: "by IAM" });
  console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
