-- Each answer's refresh token is asked with again. BENCH_TOKENS holds more of them than there are clients:
-- wrk makes one request that it does not send.
local tokens, first, last = {}, 1, 0
local headers = { Host = wrk.headers["Host"], ["Content-Type"] = "application/x-www-form-urlencoded" }

init = function()
  for token in io.lines(os.getenv("BENCH_TOKENS")) do
    last = last + 1
    tokens[last] = token
  end
end

request = function()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return wrk.format("POST", "/token", headers, "grant_type=refresh_token&refresh_token=" .. token)
end

response = function(status, _, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then
    last = last + 1
    tokens[last] = token
  end
end
