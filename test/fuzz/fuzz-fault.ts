/** What the broker got wrong. */
export class FuzzFault extends Error {}
