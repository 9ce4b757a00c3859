import type { DeviceId, EpochMs } from './ids.ts';

export const commandNames = ['Request', 'Sleep'] as const;
export type CommandName = (typeof commandNames)[number];

/**
 * `sent` to the broker (PUBACK) → `delivered` to the device's connection by its site → `answered` by the device, or
 * `refused` by the site, or `expired` without an answer. A state is only ever reached by evidence.
 */
export const commandStates = ['pending', 'sent', 'delivered', 'answered', 'refused', 'expired'] as const;
export type CommandState = (typeof commandStates)[number];

export interface Command {
  /** Random, 128 bits, hexadecimal. */
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly name: CommandName;
  /** `Sleep`: seconds between readings; `null` for `Request`. */
  readonly seconds: number | null;
  readonly by: string;
  readonly at: EpochMs;
  readonly state: CommandState;
  readonly updatedAt: EpochMs;
  /** For people: `reading 0`, `readings now every 5 s`, `no detector listens on InTopic/…`. */
  readonly detail: string;
}

/** What the cloud publishes on `davy/v1/<tenant>/<site>/<device>/command/<name>` (JSON). */
export interface CommandRequest {
  readonly id: string;
  readonly name: CommandName;
  readonly seconds: number | null;
  /** The legacy topic that the device listens on, as the registry knows it: `InTopic/…/…`. */
  readonly topic: string;
  readonly by: string;
  readonly at: EpochMs;
  /** After this time the site must not carry it out any more. */
  readonly expiresAt: EpochMs;
}

/** What the site publishes on `…/command/<name>/result` (JSON), possibly several for one command. */
export interface CommandResult {
  readonly id: string;
  readonly state: 'delivered' | 'answered' | 'refused' | 'expired';
  readonly detail: string;
  readonly at: EpochMs;
}
