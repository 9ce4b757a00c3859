import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { AlarmView } from '../../../src/api/types.ts';
import { alarmStateLabel, formatNumber, priorityLabel } from '../format.ts';
import { needsAcknowledge } from '../state/overview.ts';
import { deviceHash } from '../state/route.ts';
import { useScreen } from '../state/screen.ts';
import type { TransitionView } from '../state/types.ts';
import { PriorityMark } from './state-mark.tsx';
import { LocalTime } from './times.tsx';

const pageSize = 50;

/** All alarms: those that stand or that nobody has seen first, then what was. */
export function AlarmList(): JSX.Element {
  const { store } = useScreen();
  const shown = useSignal(pageSize);
  const alarms = store.alarmList.value;
  return (
    <section class="panel">
      <h2 class="panel-title">Alarms</h2>
      <AlarmRows
        alarms={alarms.slice(0, shown.value)}
        empty={store.snapshots.value === 0 ? 'Waiting for data …' : 'No alarm has been raised.'}
      />
      {alarms.length > shown.value && (
        <button type="button" onClick={() => (shown.value += pageSize)}>
          Show more ({alarms.length - shown.value})
        </button>
      )}
    </section>
  );
}

/** Alarms as rows, with what happened to each. */
export function AlarmRows(props: {
  readonly alarms: readonly AlarmView[];
  readonly empty: string;
}): JSX.Element {
  if (props.alarms.length === 0) return <p class="empty">{props.empty}</p>;
  return (
    <ol class="alarm-rows">
      {props.alarms.map((alarm) => (
        <AlarmRow key={alarm.id} alarm={alarm} />
      ))}
    </ol>
  );
}

function AlarmRow({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  const screen = useScreen();
  return (
    <li
      class={`alarm-row priority-${alarm.priority} alarm-${alarm.state}`}
      data-testid={`listed-alarm-${alarm.id}`}
      data-state={alarm.state}
    >
      <PriorityMark priority={alarm.priority} />
      <div class="alarm-body">
        <p class="alarm-name">
          <a href={deviceHash(alarm.deviceId)}>
            {alarm.rule} · {alarm.device}
          </a>{' '}
          <span>at {alarm.site}</span>
        </p>
        <p class="alarm-state">
          <strong>{alarmStateLabel(alarm.state)}</strong> · {priorityLabel(alarm.priority)}
        </p>
        <AlarmFacts alarm={alarm} />
        <Transitions alarm={alarm} />
      </div>
      {needsAcknowledge(alarm) && (
        <button
          type="button"
          class="acknowledge"
          aria-label={`Acknowledge ${alarm.rule} of ${alarm.device} with a comment`}
          data-testid={`listed-acknowledge-${alarm.id}`}
          disabled={screen.store.stale.value}
          onClick={() => (screen.question.value = { kind: 'acknowledge', alarm })}
        >
          Acknowledge …
        </button>
      )}
    </li>
  );
}

function AlarmFacts({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  return (
    <dl class="alarm-facts">
      <div>
        <dt>Raised</dt>
        <dd>
          <LocalTime at={alarm.raisedAt} />
        </dd>
      </div>
      <div>
        <dt>Value</dt>
        <dd>
          {formatNumber(alarm.raisedValue, 2)}, peak {formatNumber(alarm.peakValue, 2)} (set-point{' '}
          {formatNumber(alarm.setPoint, 2)})
        </dd>
      </div>
      {alarm.acknowledgedAt !== null && (
        <div>
          <dt>Acknowledged</dt>
          <dd>
            <LocalTime at={alarm.acknowledgedAt} /> by {alarm.acknowledgedBy}
          </dd>
        </div>
      )}
      {alarm.returnedAt !== null && (
        <div>
          <dt>Returned</dt>
          <dd>
            <LocalTime at={alarm.returnedAt} />
          </dd>
        </div>
      )}
    </dl>
  );
}

/** Who did what and when, fetched when it is opened, and again when the alarm has changed meanwhile. */
function Transitions({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  const { actions } = useScreen();
  const rows = useSignal<readonly TransitionView[]>([]);
  const load = async (isOpen: boolean): Promise<void> => {
    if (isOpen) rows.value = (await actions.transitions(alarm.id)) ?? [];
  };
  return (
    <details class="transitions" key={alarm.state} onToggle={(event) => void load(event.currentTarget.open)}>
      <summary>History</summary>
      <ol>
        {rows.value.map((row) => (
          <li key={`${row.at} ${row.kind}`}>
            <LocalTime at={row.at} /> {row.kind} by {row.by}
            {row.value !== null && `, value ${formatNumber(row.value, 2)}`}
            {row.comment !== '' && <q>{row.comment}</q>}
          </li>
        ))}
      </ol>
    </details>
  );
}
