/** Who we are, for the brokers' logs and metrics (KIP-511). The version is that of `package.json`; a test holds them together. */
export const softwareName = "odradek";
export const softwareVersion = "0.1.0";
