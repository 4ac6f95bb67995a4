import { expect } from 'bun:test'
import type { render as renderOf } from '@testing-library/react'
import { Profiler, type ReactElement } from 'react'

/** Commits until a component is at rest: the first, one for what an effect measures, one for what it then requests. */
const commitsMax = 4

/**
 * Renders an element, lets it come to rest, and renders it again, created again with the same props: that must not change,
 * replace or move anything in the document, and nothing may render without a cause.
 *
 * @returns what was rendered, to inspect and to take down
 */
export async function expectStable(render: typeof renderOf, element: () => ReactElement) {
  let commits = 0
  const watched = () => (
    <Profiler id="watched" onRender={() => void commits++}>
      {element()}
    </Profiler>
  )
  const rendered = render(watched())
  // Two pauses in a row: on a busy machine one can end between a timer that has fired and the commit that it causes.
  for (let quiet = 0; quiet < 2; ) {
    const before = commits
    expect(commits).toBeLessThanOrEqual(commitsMax)
    await Bun.sleep(20)
    quiet = commits === before ? quiet + 1 : 0
  }

  const nodes = [...document.body.querySelectorAll('*')]
  const html = document.body.innerHTML
  const changes = new MutationObserver(() => undefined)
  changes.observe(document.body, { attributes: true, childList: true, characterData: true, subtree: true })
  rendered.rerender(watched())
  await Bun.sleep(20)
  const records = changes.takeRecords()
  changes.disconnect()
  expect(records.map(({ type, attributeName }) => `${type} ${attributeName ?? ''}`)).toEqual([])
  expect(document.body.innerHTML).toBe(html)
  const same = [...document.body.querySelectorAll('*')].every((node, index) => node === nodes[index])
  expect(same).toBe(true)
  return rendered
}
