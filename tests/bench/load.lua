-- What wrk sends. All of it comes in the environment: arguments are visible to everyone on the machine, and
-- tokens and signed addresses are credentials.
--   LOAD_METHOD  GET, PUT or POST
--   LOAD_PATHS   file of paths, one per line, taken in turn and then from the start again
--   LOAD_TOKEN   bearer token; empty for none
--   LOAD_IF_NONE_MATCH  value of that header; empty for none
--   LOAD_BODY    file whose bytes are sent; its first 32 are replaced, so that no two requests carry the same
--   LOAD_NONCE   16 characters that no other run uses

local method = os.getenv("LOAD_METHOD")
local token = os.getenv("LOAD_TOKEN") or ""
local nonce = os.getenv("LOAD_NONCE")
local paths, sent, body = {}, 0, nil

for line in io.lines(os.getenv("LOAD_PATHS")) do
  paths[#paths + 1] = line
end

if os.getenv("LOAD_BODY") then
  local file = io.open(os.getenv("LOAD_BODY"), "rb")
  body = file:read("*a"):sub(33)
  file:close()
end

local headers = {}
if token ~= "" then
  headers["Authorization"] = "Bearer " .. token
end
if os.getenv("LOAD_IF_NONE_MATCH") ~= "" then
  headers["If-None-Match"] = os.getenv("LOAD_IF_NONE_MATCH")
end
if body then
  headers["Content-Type"] = "application/octet-stream"
end

function request()
  sent = sent + 1
  local path = paths[(sent - 1) % #paths + 1]
  local bytes = body and (nonce .. string.format("%016d", sent) .. body) or nil
  return wrk.format(method, path, headers, bytes)
end

-- One line that the caller reads; the table that wrk prints is for people.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "result requests=%d bytes=%d microseconds=%d status=%d connect=%d read=%d write=%d timeout=%d\n",
    summary.requests, summary.bytes, summary.duration,
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
