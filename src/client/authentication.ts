/**
 * An authentication method as a client speaks it (MQTT 5, 4.12). It is given to the client: the layer below knows no
 * method; `scramSha256` of the security layer makes one.
 */
export interface ClientAuthentication {
  /** The name of the method, as the broker knows it. */
  readonly method: string;
  /** A new run: at each connection, and at each re-authentication. */
  begin(): ClientExchange;
}

/** One run of a method with the broker. */
export interface ClientExchange {
  /** What goes with CONNECT, or with the AUTH that begins again; `undefined` = no data. */
  first(): Buffer | undefined;
  /** Answers the broker's data. What it throws or rejects with ends the connection. */
  answer(data: Buffer | undefined): Buffer | undefined | Promise<Buffer | undefined>;
  /** The broker says that all is well: has it proven itself, with this data? `false` ends the connection. */
  isProven(data: Buffer | undefined): boolean;
}
