/** Attributes and data by their names on the wire: what the JSON format of CloudEvents writes. */
export type WireEvent = Record<string, unknown>;
