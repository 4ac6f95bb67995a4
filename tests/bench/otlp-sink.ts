/** A backend of OTLP that reads what it is sent and keeps nothing. It listens on PORT of the loopback interface. */
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  async fetch(request) {
    await request.arrayBuffer()
    return Response.json({})
  },
})
