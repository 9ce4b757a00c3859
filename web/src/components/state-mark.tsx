import type { JSX } from 'preact';
import type { AlarmView, DeviceView } from '../../../src/api/types.ts';

type Priority = AlarmView['priority'];

/** Shape, sign and colour say the same three times over: colour alone is not seen by everyone. */
const priorityShapes: Readonly<Record<Priority, string>> = {
  1: 'M8.2 1.5h7.6l6.7 6.7v7.6l-6.7 6.7H8.2l-6.7-6.7V8.2z', // octagon
  2: 'M12 1.5 23 22H1z', // triangle
  3: 'M12 1 23 12 12 23 1 12z', // diamond
  4: 'M2.5 2.5h19v19h-19z', // square
};

/** The mark of an alarm: red octagon 1, orange triangle 2, yellow diamond 3, cyan square 4. */
export function PriorityMark({ priority }: { readonly priority: Priority }): JSX.Element {
  return (
    <svg class={`mark mark-priority-${priority}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={priorityShapes[priority]} />
      <text x="12" y={priority === 2 ? 19 : 17} text-anchor="middle">
        {priority}
      </text>
    </svg>
  );
}

/** The mark of a device's state. Gas bears the priority of its alarm; what cannot be trusted is white and blue. */
export function StateMark(props: {
  readonly state: DeviceView['state'];
  readonly priority: Priority;
}): JSX.Element {
  const { state, priority } = props;
  if (state === 'gas') return <PriorityMark priority={priority} />;
  if (state === 'normal') {
    return (
      <svg class="mark mark-normal" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <circle cx="12" cy="12" r="7" />
      </svg>
    );
  }
  return (
    <svg class={`mark mark-${state}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect x="2" y="2" width="20" height="20" rx="3" />
      <text x="12" y="17.5" text-anchor="middle">
        {state === 'silent' ? 'F' : 'W'}
      </text>
    </svg>
  );
}
