// Removes the containers and the network of one cluster: node remove-containers.mjs LABEL
// Plain JavaScript, because the watchdog runs it when nothing else of the launcher is left.
import { getContainerRuntimeClient } from "testcontainers";

const filters = { label: [process.argv[2]] };
const { dockerode } = (await getContainerRuntimeClient()).container;
const containers = await dockerode.listContainers({ all: true, filters });
await Promise.all(containers.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })));
const networks = await dockerode.listNetworks({ filters });
await Promise.all(networks.map(({ Id }) => dockerode.getNetwork(Id).remove()));
