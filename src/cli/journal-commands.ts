import { usage, type CommandSpec, type ParsedArgs } from './command.ts';
import type { SystemPort } from './ports.ts';

/** `davylamp journal …`: looks at a broker's journal, or saves what can be saved of a damaged one. */
export function journalCommands(system: SystemPort): readonly CommandSpec[] {
  return [
    {
      name: 'journal inspect',
      summary: 'Tell what is in a journal and whether it is damaged; changes nothing',
      positionals: 'FOLDER',
      options: [{ name: 'json', summary: 'Print JSON for programs' }],
      async run(args, context) {
        const { lines, ...figures } = await system.inspectJournal(folderOf(args, 'journal inspect'));
        if (args.has('json')) context.print(JSON.stringify(figures, null, 2));
        else for (const line of lines) context.print(line);
        return figures.isWhole ? 0 : 1;
      },
    },
    {
      name: 'journal repair',
      summary: 'Save what is whole of a damaged journal; the files as they were are kept aside',
      positionals: 'FOLDER',
      options: [],
      async run(args, context) {
        for (const line of await system.repairJournal(folderOf(args, 'journal repair'))) context.print(line);
        return 0;
      },
    },
  ];
}

function folderOf(args: ParsedArgs, command: string): string {
  const [folder] = args.positionals;
  if (folder === undefined) throw usage(command, 'FOLDER is missing');
  return folder;
}
