import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import type { CommandView, DeviceView } from '../../../src/api/types.ts';
import { formatInterval } from '../format.ts';
import { useScreen } from '../state/screen.ts';
import { LocalTime } from './times.tsx';

const shownCommands = 10;

/** What can be asked of a detector, and what became of it. */
export function CommandPanel({ device }: { readonly device: DeviceView }): JSX.Element {
  const { store } = useScreen();
  const commands = store.log.value?.commands.value ?? [];
  return (
    <section>
      <h3>Commands</h3>
      {device.acceptsCommands ? (
        <CommandForm device={device} />
      ) : (
        <p class="empty">This device takes no commands.</p>
      )}
      <ol class="commands" data-testid="command-log" aria-live="polite" aria-relevant="additions text">
        {commands.slice(0, shownCommands).map((command) => (
          <CommandRow key={command.id} command={command} />
        ))}
      </ol>
    </section>
  );
}

function CommandForm({ device }: { readonly device: DeviceView }): JSX.Element {
  const screen = useScreen();
  const seconds = useSignal('5');
  const isStale = screen.store.stale.value;
  const run = (name: CommandView['name'], value: number | null): void =>
    screen.asOperator(() => void screen.actions.command(device, name, value));
  return (
    <div class="command-form">
      <button
        type="button"
        data-testid="command-request"
        disabled={isStale}
        onClick={() => run('Request', null)}
      >
        Request a reading
      </button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run('Sleep', Number(seconds.value));
        }}
      >
        <label>
          <span>Seconds between readings</span>
          <input
            type="number"
            min="0.01"
            max="86400"
            step="0.01"
            required
            inputMode="decimal"
            value={seconds.value}
            data-testid="sleep-seconds"
            onInput={(event) => (seconds.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" data-testid="command-sleep" disabled={isStale}>
          Set interval
        </button>
      </form>
    </div>
  );
}

const steps = ['pending', 'sent', 'delivered', 'answered'] as const;
const stepNames: Readonly<Record<CommandView['state'], string>> = {
  pending: 'asked',
  sent: 'sent',
  delivered: 'delivered',
  answered: 'answered',
  refused: 'refused',
  expired: 'no answer in time',
};

/** One command: the steps that it has provably reached, and the answer. */
function CommandRow({ command }: { readonly command: CommandView }): JSX.Element {
  const hasFailed = command.state === 'refused' || command.state === 'expired';
  const name =
    command.seconds === null ? command.name : `${command.name} ${formatInterval(command.seconds * 1000)}`;
  return (
    <li class={`command command-${command.state}`} data-state={command.state}>
      <p>
        <strong>{name}</strong> by {command.by}, <LocalTime at={command.at} />
      </p>
      <ol class="steps">
        {hasFailed ? (
          <>
            <li class="is-reached">✓ {stepNames.pending}</li>
            <li class="has-failed">✕ {stepNames[command.state]}</li>
          </>
        ) : (
          steps.map((step, index) => (
            <Step key={step} step={step} isReached={index <= steps.findIndex((s) => s === command.state)} />
          ))
        )}
      </ol>
      {command.detail !== '' && <p class="command-detail">{command.detail}</p>}
    </li>
  );
}

function Step(props: { readonly step: CommandView['state']; readonly isReached: boolean }): JSX.Element {
  const { step, isReached } = props;
  return (
    <li class={isReached ? 'is-reached' : ''}>
      {isReached ? '✓' : '·'} {stepNames[step]}
      {!isReached && <span class="only-spoken"> (not yet)</span>}
    </li>
  );
}
