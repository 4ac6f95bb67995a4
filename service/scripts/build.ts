/** `bun run build`: the service as one executable, `dist/documents`. */

const outfile = 'dist/documents'

const result = await Bun.build({
  entrypoints: ['service/main.ts'],
  compile: { outfile },
  minify: true,
  // Stack traces in the log should name our files.
  sourcemap: 'inline',
  target: 'bun',
})
for (const message of result.logs) process.stderr.write(`${message}\n`)
if (!result.success) process.exit(1)
const mebibytes = (Bun.file(outfile).size / 1024 / 1024).toFixed(1)
process.stdout.write(`built ${outfile} (${mebibytes} MiB)\n`)
