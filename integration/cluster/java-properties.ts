/** In the syntax of Java's properties, in which a line break inside a value is written as `\n`. */
export const propertiesText = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll("\n", "\\n")}\n`)
    .join("");
