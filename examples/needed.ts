/** @throws Error where the environment does not have it */
export function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`set ${name}, see examples/README.md`);
  return value;
}
