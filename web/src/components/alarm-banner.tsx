import type { JSX } from 'preact';
import type { AlarmView } from '../../../src/api/types.ts';
import { alarmStateLabel, formatNumber, priorityLabel } from '../format.ts';
import { needsAcknowledge } from '../state/overview.ts';
import { deviceHash } from '../state/route.ts';
import { useScreen } from '../state/screen.ts';
import { PriorityMark } from './state-mark.tsx';
import { Age, LocalTime } from './times.tsx';

const shownAlarms = 4;
const priorities = [1, 2, 3, 4] as const;

/** The alarms that matter most, on every page, with one button each. */
export function AlarmBanner(): JSX.Element {
  const { store } = useScreen();
  const alarms = store.activeAlarms.value;
  if (alarms.length === 0) {
    return (
      <section class="banner banner-quiet" aria-label="Active alarms">
        <p>{store.snapshots.value === 0 ? 'Waiting for data …' : 'No active alarms'}</p>
      </section>
    );
  }
  return (
    <section class="banner" aria-label="Active alarms">
      <ol class="banner-alarms">
        {alarms.slice(0, shownAlarms).map((alarm) => (
          <BannerAlarm key={alarm.id} alarm={alarm} />
        ))}
      </ol>
      <p class="banner-counts">
        <PriorityCounts alarms={alarms} />
        <a href="#/alarms">All alarms ({alarms.length})</a>
      </p>
    </section>
  );
}

function PriorityCounts({ alarms }: { readonly alarms: readonly AlarmView[] }): JSX.Element {
  const counts = priorities.map((priority) => ({
    priority,
    count: alarms.filter((alarm) => alarm.priority === priority).length,
  }));
  return (
    <span>
      {counts
        .filter(({ count }) => count > 0)
        .map(({ priority, count }) => `${priorityLabel(priority)} ${count}`)
        .join(' · ')}
    </span>
  );
}

function BannerAlarm({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  const screen = useScreen();
  const isOpen = needsAcknowledge(alarm);
  return (
    <li
      class={`banner-alarm priority-${alarm.priority} alarm-${alarm.state}`}
      data-testid={`alarm-${alarm.id}`}
      data-state={alarm.state}
    >
      <PriorityMark priority={alarm.priority} />
      <div class="banner-text">
        <a href={deviceHash(alarm.deviceId)}>
          <strong>{alarm.rule.toUpperCase()}</strong> {alarm.device}{' '}
          <span class="at-site">at {alarm.site}</span>
        </a>
        <small>
          {priorityLabel(alarm.priority)} · {stateText(alarm)} · value {formatNumber(alarm.peakValue, 2)}{' '}
          (set-point {formatNumber(alarm.setPoint, 2)}) · <LocalTime at={alarm.raisedAt} />,{' '}
          <Age at={alarm.raisedAt} />
        </small>
      </div>
      {isOpen && (
        <button
          type="button"
          class="acknowledge"
          data-testid={`acknowledge-${alarm.id}`}
          aria-label={`Acknowledge ${alarm.rule} of ${alarm.device}`}
          disabled={screen.store.stale.value}
          onClick={() => screen.acknowledge(alarm)}
        >
          Acknowledge
        </button>
      )}
    </li>
  );
}

function stateText(alarm: AlarmView): string {
  if (alarm.state === 'acknowledged' && alarm.acknowledgedBy !== null)
    return `Seen by ${alarm.acknowledgedBy}`;
  return alarmStateLabel(alarm.state);
}
