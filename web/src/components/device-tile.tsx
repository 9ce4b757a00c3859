import type { JSX } from 'preact';
import type { ReadonlySignal } from '@preact/signals';
import type { DeviceView, ValueView } from '../../../src/api/types.ts';
import {
  formatCountdown,
  formatSpan,
  formatUtc,
  formatValue,
  metricLabel,
  qualityNote,
  stateLabel,
} from '../format.ts';
import { deviceHash } from '../state/route.ts';
import { useScreen } from '../state/screen.ts';
import { ApproveButton } from './approve-button.tsx';
import { LeakControl } from './leak-control.tsx';
import { StateMark } from './state-mark.tsx';

/** One detector: state, last value, its age, and what is wrong with it. Quiet grey when there is nothing to say. */
export function DeviceTile(props: { readonly device: ReadonlySignal<DeviceView> }): JSX.Element {
  const { store, route } = useScreen();
  const device = props.device.value;
  const { id, state } = device;
  const isChosen = route.value.view === 'device' && route.value.id === id;
  return (
    <li
      class={`tile tile-${state}${device.registration === 'new' ? ' tile-new' : ''}${isChosen ? ' is-chosen' : ''}`}
      data-testid={`device-${id}`}
      data-state={state}
    >
      <div class="tile-head">
        <StateMark state={state} priority={topPriority(store.activeAlarms.value, id)} />
        <a
          class="tile-name"
          id={`device-${id}`}
          href={deviceHash(id)}
          {...(isChosen ? { 'aria-current': 'true' as const } : {})}
        >
          {device.name}
        </a>
        <span class="tile-state" data-testid={`device-${id}-state`}>
          {stateLabel(state)}
          {state === 'warming-up' && <Countdown until={device.warmUntil} />}
        </span>
      </div>
      <div class="tile-values" data-testid={`device-${id}-value`}>
        {state === 'silent' && <span class="value-note">last known:</span>}
        {device.values.length === 0 && <span class="no-value">no value yet</span>}
        {device.values.map((value) => (
          <Value key={value.metric} value={value} />
        ))}
      </div>
      <p class="tile-meta">
        <LastSeen device={device} />
        <Losses device={device} />
      </p>
      {device.registration === 'new' && (
        <p class="tile-new-line">
          <span class="badge">new, not approved</span>
          <ApproveButton device={device} />
        </p>
      )}
      <LeakControl deviceId={id} isNamed />
    </li>
  );
}

function topPriority(
  alarms: readonly { readonly deviceId: string; readonly priority: 1 | 2 | 3 | 4 }[],
  id: string,
): 1 | 2 | 3 | 4 {
  return alarms.find((alarm) => alarm.deviceId === id)?.priority ?? 1;
}

/** The time that the warm-up takes at most. */
function Countdown({ until }: { readonly until: number }): JSX.Element | null {
  const { store } = useScreen();
  const left = until - store.now.value;
  return left > 0 ? <span class="countdown"> {formatCountdown(left)}</span> : null;
}

/** A value with its unit; several of one device bear their names. */
export function Value({ value }: { readonly value: ValueView }): JSX.Element {
  const text = formatValue(value.metric, value.value, value.unit);
  const note = qualityNote(value.quality);
  return (
    <span class="value">
      {value.metric !== 'gas' && <span class="value-name">{metricLabel(value.metric)}</span>}
      <strong>{text.number}</strong>
      {text.unit !== '' && <span class="value-unit"> {text.unit}</span>}
      {note !== '' && <span class="value-note"> ({note})</span>}
    </span>
  );
}

/** Age of the last message; called late when more than twice its usual interval has passed. */
function LastSeen({ device }: { readonly device: DeviceView }): JSX.Element {
  const { store } = useScreen();
  const age = store.now.value - device.lastSeen;
  const isLate = device.intervalMs !== null && age > 2 * device.intervalMs + 1000;
  return (
    <time
      class={isLate ? 'late' : ''}
      dateTime={new Date(device.lastSeen).toISOString()}
      title={formatUtc(device.lastSeen)}
    >
      {formatSpan(age)} ago{isLate && device.state !== 'silent' ? ', late' : ''}
    </time>
  );
}

function Losses({ device }: { readonly device: DeviceView }): JSX.Element | null {
  const { missing, repeated } = device.counts;
  if (missing === 0 && repeated === 0) return null;
  const parts = [];
  if (missing > 0) parts.push(`${missing} missing`);
  if (repeated > 0) parts.push(`${repeated} repeated`);
  return <span class="losses">{parts.join(', ')}</span>;
}
