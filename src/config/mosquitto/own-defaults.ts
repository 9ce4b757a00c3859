import { DavylampError } from '#base';
import type { LimitsConfig, ListenerConfig } from '../config.ts';
import { readToml } from '../toml.ts';

/** What mosquitto.conf cannot say is as in our own files: one place for defaults. */
export function ownDefaults(): { readonly limits: LimitsConfig; readonly listener: ListenerConfig } {
  const text = 'role = "site"\nname = "x"\n[[listener]]\nname = "x"\nallow_anonymous = true\n';
  const { limits, listeners } = readToml(text, 'defaults', { baseFolder: '/' }).config;
  const [listener] = listeners;
  if (listener === undefined) throw new DavylampError('BUG', 'there is no default listener');
  return { limits, listener };
}
