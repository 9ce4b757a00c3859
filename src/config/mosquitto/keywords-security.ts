import { flag, path, text, type ConfKeyword } from './keyword.ts';

const noPlugins =
  'programs for Mosquitto cannot be loaded here; use password_file and acl_file, or run this listener with Mosquitto';

/** Keywords of users and access; with `per_listener_settings true` they belong to the listener before them. */
export const securityKeywords: readonly ConfKeyword[] = [
  {
    name: 'acl_file',
    scope: 'security',
    status: 'honoured',
    type: path,
    default: null,
    defaultText: 'none: who is in may do everything',
    mayRepeat: true,
    meaning: 'Who may read and write which topics.',
    difference: 'A broken file at a reload leaves the old rules in force; Mosquitto 2.1 stops.',
  },
  {
    name: 'allow_anonymous',
    scope: 'security',
    status: 'honoured',
    type: flag,
    default: null,
    defaultText: 'false; true where the file opens no listener',
    meaning: 'Let clients in that give no name.',
    difference:
      'A user name that nothing here can verify lets its client in, but is not its name in access lists.',
  },
  {
    name: 'allow_zero_length_clientid',
    scope: 'security',
    status: 'honoured',
    type: flag,
    default: true,
    meaning: 'A client without an id is given one.',
  },
  {
    name: 'auto_id_prefix',
    scope: 'security',
    status: 'honoured',
    type: text,
    default: 'auto-',
    meaning: 'What an id that the broker gives begins with; 50 bytes at most.',
  },
  {
    name: 'password_file',
    scope: 'security',
    status: 'honoured',
    type: path,
    default: null,
    mayRepeat: true,
    meaning: 'Users and hashed passwords, as mosquitto_passwd writes them.',
    difference: 'A broken file at a reload leaves the old users in force; Mosquitto 2.1 stops.',
  },
  {
    name: 'psk_file',
    scope: 'security',
    status: 'honoured',
    type: path,
    default: null,
    mayRepeat: true,
    meaning:
      'Identities and keys of TLS-PSK: `identity:hexadecimal key` per line. For listeners with `psk_hint`.',
  },
];

const threePlugins =
  'Three plugins of Mosquitto 2.1 are known by their file name and done here: `mosquitto_password_file`, `mosquitto_acl_file` and `mosquitto_persist_sqlite`. All others are refused.';

/** Keywords of plugins. */
export const pluginKeywords: readonly ConfKeyword[] = [
  {
    name: 'plugin',
    aliases: ['auth_plugin'],
    scope: 'plugin',
    status: 'honoured',
    type: path,
    default: null,
    isList: true,
    advice: noPlugins,
    meaning: 'Load a plugin, for all listeners (`per_listener_settings true`: for the one before it).',
    difference: threePlugins,
  },
  {
    name: 'global_plugin',
    scope: 'plugin',
    status: 'honoured',
    type: path,
    default: null,
    isList: true,
    advice: noPlugins,
    meaning: 'Load a plugin, for all listeners.',
    difference: 'See `plugin`.',
  },
  {
    name: 'plugin_load',
    scope: 'plugin',
    status: 'honoured',
    type: { kind: 'words', form: '<name> <path>' },
    default: null,
    isList: true,
    advice: noPlugins,
    meaning: 'Load a plugin under a name.',
    difference: 'See `plugin`.',
  },
  {
    name: 'plugin_use',
    scope: 'plugin',
    status: 'honoured',
    type: text,
    default: null,
    isList: true,
    meaning: 'Use the plugin of that name at the listener before this line.',
  },
  {
    name: 'plugin_opt_',
    aliases: ['auth_opt_'],
    isPrefix: true,
    scope: 'plugin',
    status: 'honoured',
    type: text,
    default: null,
    isList: true,
    meaning: 'An option of the plugin before this line, such as `plugin_opt_password_file`.',
    difference:
      'Options for how SQLite writes are let pass: the journal here always writes before it acknowledges.',
  },
  {
    name: 'auth_plugin_deny_special_chars',
    scope: 'plugin',
    status: 'warned',
    type: flag,
    default: true,
    harmless: [true],
    advice: 'names with + or # never match a rule with %u or %c here; remove the line',
    meaning: 'Refuse names with `+` and `#` before a plugin is asked.',
    difference: 'Always so.',
  },
];
