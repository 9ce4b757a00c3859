import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { DeviceView } from '../../../src/api/types.ts';
import { formatCountdown, stateLabel } from '../format.ts';
import { useScreen } from '../state/screen.ts';
import { AlarmRows } from './alarm-list.tsx';
import { ApproveButton } from './approve-button.tsx';
import { CommandPanel } from './command-panel.tsx';
import { Value } from './device-tile.tsx';
import { EventList } from './event-list.tsx';
import { Facts } from './facts.tsx';
import { LeakControl } from './leak-control.tsx';
import { PlotPanel } from './plot-panel.tsx';
import { StateMark } from './state-mark.tsx';

/** Everything about one device. Escape or the back button leads back to all. */
export function DevicePage({ id }: { readonly id: string }): JSX.Element {
  const { store } = useScreen();
  const device = store.devices.value.get(id)?.value;
  useEscape();
  if (device === undefined) {
    return (
      <section class="panel">
        <CloseLink />
        <p class="empty">
          {store.snapshots.value === 0
            ? 'Waiting for the server …'
            : `There is no device with the id “${id}”.`}
        </p>
      </section>
    );
  }
  return (
    <section class="panel device-page">
      <DeviceHead device={device} />
      {device.registration === 'new' && (
        <p class="tile-new-line">
          <span class="badge">new, not approved</span> Its readings are kept, but nobody has said that it
          belongs here. <ApproveButton device={device} />
        </p>
      )}
      <LeakControl deviceId={id} isNamed={false} />
      <PlotPanel device={device} />
      <CommandPanel device={device} />
      <section>
        <h3>Alarms</h3>
        <AlarmRows
          alarms={store.alarmList.value.filter((alarm) => alarm.deviceId === id).slice(0, 20)}
          empty="This device has raised no alarm."
        />
      </section>
      <Facts device={device} />
      <EventList device={device} />
    </section>
  );
}

function DeviceHead({ device }: { readonly device: DeviceView }): JSX.Element {
  const { store } = useScreen();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const priority = store.activeAlarms.value.find((alarm) => alarm.deviceId === device.id)?.priority ?? 1;
  return (
    <header class={`device-head device-${device.state}`}>
      <CloseLink />
      <h2 class="panel-title" tabIndex={-1} ref={heading}>
        {device.name} <small>{device.site}</small>
      </h2>
      <p class="device-state">
        <StateMark state={device.state} priority={priority} />
        <strong>{stateLabel(device.state)}</strong>
        {device.state === 'warming-up' && device.warmUntil > store.now.value && (
          <span>for {formatCountdown(device.warmUntil - store.now.value)} at most</span>
        )}
      </p>
      <p class="device-values">
        {device.state === 'silent' && <span class="value-note">last known:</span>}
        {device.values.map((value) => (
          <Value key={value.metric} value={value} />
        ))}
      </p>
      {device.state === 'silent' && (
        <p class="hint">Nothing is heard from this device. Its last value says nothing about the air now.</p>
      )}
      {device.protocol === 'legacy' && device.state === 'gas' && (
        <p class="hint">
          A sensor of this kind that has lost its supply reads 1 as well. Treat it as gas until somebody has
          looked.
        </p>
      )}
    </header>
  );
}

function CloseLink(): JSX.Element {
  return (
    <a class="close" href="#/">
      <span aria-hidden="true">←</span> All detectors
    </a>
  );
}

function useEscape(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && document.querySelector('dialog[open]') === null) location.hash = '#/';
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
