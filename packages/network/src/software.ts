/** Who we are, for the brokers' logs and metrics (KIP-511). A test holds the version and `package.json` together. */
export const softwareName = "odradek";
export const softwareVersion = "0.1.0";
