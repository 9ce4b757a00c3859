import type { ConfigWarning } from '#config';

/** `mosquitto.conf:7: …`. */
export function warningLine({ file, line, message }: ConfigWarning): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${message}`;
}
