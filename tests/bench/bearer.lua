-- GET /user, with one bearer after the other of those in BENCH_TOKENS.
local requests, at = {}, 0

init = function()
  for token in io.lines(os.getenv("BENCH_TOKENS")) do
    requests[#requests + 1] = wrk.format("GET", "/user", { Host = wrk.headers["Host"], Authorization = "Bearer " .. token })
  end
end

request = function()
  at = at % #requests + 1
  return requests[at]
end
