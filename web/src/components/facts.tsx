import type { ComponentChildren, JSX } from 'preact';
import type { DeviceView } from '../../../src/api/types.ts';
import { formatInterval, formatNumber, reverseMac } from '../format.ts';
import { LocalTime } from './times.tsx';

/** What is known of a device, as it came. */
export function Facts({ device }: { readonly device: DeviceView }): JSX.Element {
  const { counts, mac } = device;
  return (
    <section>
      <h3>Facts</h3>
      <dl class="facts">
        <Fact name="Device id">{device.id}</Fact>
        {mac !== null && <Fact name="MAC address">{mac}</Fact>}
        {mac !== null && device.protocol === 'legacy' && (
          <Fact name="MAC as sent (bytes reversed)">{reverseMac(mac)}</Fact>
        )}
        <Fact name="IP address">{device.ip ?? 'not told'}</Fact>
        <Fact name="Topic">{device.topic}</Fact>
        <Fact name="Kind">
          {device.sensorType}, {device.protocol === 'legacy' ? 'legacy text' : 'Davylamp JSON'}
        </Fact>
        <Fact name="First seen">
          <LocalTime at={device.firstSeen} />
        </Fact>
        <Fact name="Last seen">
          <LocalTime at={device.lastSeen} />
        </Fact>
        <Fact name="Interval, as observed">
          {device.intervalMs === null ? 'not known yet' : formatInterval(device.intervalMs)}
        </Fact>
        <Fact name="Last sequence number">
          {device.lastSequence === null ? 'none' : String(device.lastSequence)}
        </Fact>
        <Fact name="Missing">{formatNumber(counts.missing, 0)}</Fact>
        <Fact name="Repeated by the device">{formatNumber(counts.repeated, 0)}</Fact>
        <Fact name="Redelivered by the network, dropped">{formatNumber(counts.redelivered, 0)}</Fact>
        <Fact name="Count began anew">{formatNumber(counts.resets, 0)}</Fact>
      </dl>
    </section>
  );
}

function Fact(props: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
