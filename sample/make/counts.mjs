// The table of counts in README.md, written by the generator so that nobody copies numbers by hand.

const BEGIN = '<!-- counts: written by generate.mjs -->', END = '<!-- end of counts -->'

function rows({ group, direct, telegram, gpt, claude, vault }) {
  const file = [
    ['WhatsApp Chat - Hüttenwochenende.zip', group.messages, `${group.system} system lines`],
    ['WhatsApp Chat with Carmen Ibáñez.txt', direct.messages, `${direct.system} system lines`],
    ...Object.entries(telegram).map(([name, c]) => [`DataExport_2024-12-01/result.json (${name})`, c.messages, `${c.system} service messages`]),
    ['chatgpt-2024-12-01-08-55-10/conversations.json', gpt.messages, `${gpt.conversations} conversations; ${gpt.asides} of the messages on abandoned branches; ${gpt.tools} tool nodes besides`],
    ['data-2024-12-01-09-20-11-batch-0000/conversations.json', claude.messages, `${claude.conversations} conversations; ${claude.attachments} pasted files`],
    ['Miras Vault', vault.notes, `notes, with ${vault.headings} headings`],
  ]
  return [...file, ['all', file.reduce((n, r) => n + r[1], 0), '']]
}

/** README.md with the table between its marks renewed. */
export function withCounts(readme, counts) {
  const table = ['| file | messages | besides |', '| --- | ---: | --- |', ...rows(counts).map(r => `| ${r.join(' | ')} |`)]
  const [before, rest] = readme.split(BEGIN)
  if (rest === undefined) throw new Error('README.md has no mark for the counts')
  return `${before}${BEGIN}\n${table.join('\n')}\n${END}${rest.split(END)[1]}`
}
