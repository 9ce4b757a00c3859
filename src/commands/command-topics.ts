import { commandNames, nativePrefix, parseDeviceId, type CommandName, type DeviceId } from '#model';

/** What a native command topic says: `davy/v1/<tenant>/<site>/<device>/command/<name>[/result]`. */
export interface CommandTopic {
  readonly tenant: string;
  readonly site: string;
  readonly deviceId: DeviceId;
  readonly name: CommandName;
  readonly isResult: boolean;
}

/** Where a command for that device is published. */
export function commandTopicOf(tenant: string, site: string, deviceId: DeviceId, name: CommandName): string {
  return `${nativePrefix}/${tenant}/${site}/${deviceId}/command/${name}`;
}

/** `undefined`: it is no topic of a command or of a result. */
export function parseCommandTopic(topic: string): CommandTopic | undefined {
  if (!topic.startsWith(`${nativePrefix}/`)) return undefined;
  const [, , tenant = '', site = '', device = '', word, name, result, ...rest] = topic.split('/', 9);
  const deviceId = parseDeviceId(device);
  const known = commandNames.find((candidate) => candidate === name);
  if (word !== 'command' || deviceId === undefined || known === undefined || rest.length > 0)
    return undefined;
  if (result !== undefined && result !== 'result') return undefined;
  return { tenant, site, deviceId, name: known, isResult: result === 'result' };
}
