import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { AlarmView } from '../../../src/api/types.ts';
import { formatNumber, priorityLabel } from '../format.ts';
import { cleanName } from '../state/operator.ts';
import { useScreen, type Question } from '../state/screen.ts';
import { LocalTime } from './times.tsx';

/** Who sits here; a press changes it. */
export function OperatorButton(): JSX.Element {
  const { operator, question } = useScreen();
  const name = operator.name.value;
  return (
    <button
      type="button"
      class="operator"
      title="Change the operator's name"
      onClick={() => (question.value = { kind: 'name', act: () => {} })}
    >
      {name === '' ? (
        'No operator'
      ) : (
        <>
          <span class="operator-word">Operator: </span>
          {name}
        </>
      )}
    </button>
  );
}

/** Asks for the operator's name, and for a comment when an alarm is acknowledged. Escape changes nothing. */
export function QuestionDialog(): JSX.Element | null {
  const question = useScreen().question.value;
  return question === null ? null : <OpenDialog key={question.kind} question={question} />;
}

function OpenDialog({ question }: { readonly question: Question }): JSX.Element {
  const screen = useScreen();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => {
    screen.question.value = null;
  };
  const submit = (form: HTMLFormElement): void => {
    const fields = new FormData(form);
    const name = cleanName(textOf(fields, 'operator'));
    if (name === '') return;
    screen.operator.rename(name);
    close();
    if (question.kind === 'acknowledge')
      void screen.actions.acknowledge(question.alarm, textOf(fields, 'comment').trim());
    else question.act();
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit(event.currentTarget);
        }}
      >
        {question.kind === 'acknowledge' ? (
          <AlarmSummary alarm={question.alarm} />
        ) : (
          <h2 id="dialog-title">Who are you?</h2>
        )}
        <OperatorField />
        {question.kind === 'acknowledge' && <CommentField />}
        <p class="dialog-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" data-testid="question-confirm">
            {question.kind === 'acknowledge' ? 'Acknowledge' : 'Keep this name'}
          </button>
        </p>
      </form>
    </dialog>
  );
}

function AlarmSummary({ alarm }: { readonly alarm: AlarmView }): JSX.Element {
  return (
    <>
      <h2 id="dialog-title">Acknowledge alarm</h2>
      <p>
        {priorityLabel(alarm.priority)}: <strong>{alarm.rule}</strong> at {alarm.device}, site {alarm.site},
        value {formatNumber(alarm.peakValue, 2)}, since <LocalTime at={alarm.raisedAt} />. Acknowledging says
        that you have seen it; it does not end it.
      </p>
    </>
  );
}

function OperatorField(): JSX.Element {
  const { operator } = useScreen();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (operator.name.peek() === '') input.current?.focus();
    else input.current?.select();
  }, []);
  return (
    <label class="field">
      <span>Your name (kept on this machine, written beside what you do)</span>
      <input
        ref={input}
        name="operator"
        autocomplete="name"
        maxLength={60}
        required
        pattern=".*\S.*"
        defaultValue={operator.name.peek()}
        data-testid="operator-name"
      />
    </label>
  );
}

function CommentField(): JSX.Element {
  return (
    <label class="field">
      <span>Comment (may stay empty)</span>
      <textarea name="comment" rows={2} maxLength={500} data-testid="acknowledge-comment" />
    </label>
  );
}

function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value : '';
}
