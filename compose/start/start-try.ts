/** How to try a service that `start` runs, as text to copy: the last lines that it prints. */
export function howToTry(url: string, port: number): string {
  const run = 'npx -y bun@1.4.5 run --silent'
  const documents = `${url}/v1/tenants/acme/documents`
  return [
    'the link signs in once, within an hour; for another one, in another terminal:',
    `  ${run} link --port ${port}`,
    'or try the API there:',
    `  TOKEN=$(${run} token --port ${port} --tenant acme --scope "documents:read documents:write")`,
    `  curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: text/markdown" -T README.md ${documents}/definitions/README.md`,
    `  curl -H "Authorization: Bearer $TOKEN" "${documents}?type=definitions"`,
    `  curl -H "Authorization: Bearer $TOKEN" ${documents}/definitions/README.md`,
    'Ctrl-C stops it; the documents stay.',
  ].join('\n')
}
