/** HTML that may be put into a page as it is. Only {@link html} makes it. */
export interface Markup {
  readonly html: string
}

type Part = Markup | string | number | undefined | false | readonly (Markup | string)[]

/** A template of HTML: whatever is put into it is text, unless it is {@link Markup} itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const filled = strings.map((string, at) => string + (at < parts.length ? textOf(parts[at]) : ''))
  return { html: filled.join('') }
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (Array.isArray(part)) return part.map((each) => textOf(each)).join('')
  return typeof part === 'object' ? (part as Markup).html : Bun.escapeHTML(String(part))
}

/** Paragraphs, `code` and *emphasis* of the CommonMark in descriptions; nothing else of it is used there. */
export function prose(text: string): Markup[] {
  return text.split('\n\n').map((paragraph) => html`<p>${inline(paragraph)}</p>`)
}

/** `code` and *emphasis* in one line. */
export function inline(text: string): Markup[] {
  return text.split(/(`[^`]+`|\*[^*]+\*)/).map((piece) => {
    const inner = piece.slice(1, -1)
    if (piece.startsWith('`')) return html`<code>${inner}</code>`
    return piece.startsWith('*') && piece.length > 2 ? html`<em>${inner}</em>` : html`${piece}`
  })
}
