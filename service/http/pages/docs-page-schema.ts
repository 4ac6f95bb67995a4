import type { JsonSchema } from '../openapi/types.ts'

const schemaReference = /^#\/components\/schemas\/(.+)$/

/** What a value must look like, in one line. */
export function formOf(schema: JsonSchema): Markup {
  const named = schemaReference.exec(String(schema.$ref))?.[1]
  if (named) return html`<a href="#schema-${named}">${named}</a>`
  if ('const' in schema) return html`<code>${String(schema.const)}</code>`
  if (Array.isArray(schema.enum))
    return joined(schema.enum.map((value) => html`<code>${String(value)}</code>`))
  const choices = (schema.anyOf ?? schema.allOf) as JsonSchema[] | undefined
  if (choices) return joined(choices.map(formOf))
  if (schema.type === 'array') return html`list of ${formOf(schema.items as JsonSchema)}`
  return html`${String(schema.type ?? 'anything')}${bounds(schema)}`
}

function joined(forms: Markup[]): Markup {
  return html`${forms.map((form, at) => html`${at > 0 && ' or '}${form}`)}`
}

function bounds(schema: JsonSchema): Markup {
  const { minimum, maximum, pattern, format } = schema
  return html`${minimum !== undefined && ` from ${minimum}`}${maximum !== undefined && ` to ${maximum}`}${
    format !== undefined && `, ${format}`
  }${pattern !== undefined && html` <code>${String(pattern)}</code>`}${
    schema.default !== undefined && html`, default <code>${String(schema.default)}</code>`
  }`
}

/** A named schema: its members and an example. */
export function renderSchema(name: string, schema: JsonSchema): Markup {
  const [example] = Array.isArray(schema.examples) ? schema.examples : []
  const variants = (schema.anyOf as JsonSchema[] | undefined) ?? [schema]
  return html`
<section id="schema-${name}">
<h3>${name}</h3>
${typeof schema.description === 'string' && html`<p>${schema.description}</p>`}
${variants.map((variant, at) => html`${at > 0 && html`<p>or</p>`}${memberTable(variant)}`)}
${example !== undefined && html`<pre>${JSON.stringify(example, null, 2)}</pre>`}
</section>`
}

function memberTable(schema: JsonSchema): Markup {
  const rows = membersOf(schema).map(
    ([path, member, isRequired]) => html`
<tr><td><code>${path}</code></td><td>${formOf(member)}</td><td>${
      member.description !== undefined && html`${String(member.description)}`
    }${!isRequired && html` <em>optional</em>`}</td></tr>`,
  )
  return html`<div class="wide"><table><thead><tr><th>Member</th><th>Form</th><th>Meaning</th></tr></thead><tbody>${rows}
</tbody></table></div>`
}

type Member = [path: string, schema: JsonSchema, isRequired: boolean]

/** Members with those of the objects in them, as far as these have no name of their own. */
function membersOf(schema: JsonSchema, prefix = ''): Member[] {
  const required = Array.isArray(schema.required) ? schema.required : []
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  return properties.flatMap(([name, member]): Member[] => {
    const items = member.items as JsonSchema | undefined
    const nested = items?.properties
      ? membersOf(items, `${prefix}${name}[].`)
      : membersOf(member, `${prefix}${name}.`)
    return [[prefix + name, member, required.includes(name)], ...nested]
  })
}

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
