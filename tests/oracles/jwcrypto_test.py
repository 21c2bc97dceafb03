#!/usr/bin/python3
"""Our keys and tokens held against jwcrypto (Debian: python3-jwcrypto).

    tests/oracles/jwcrypto_test.py build-test/tests/oracles/jws

Ends with `N passed, N failed`.
"""
import base64
import json
import subprocess
import sys

from jwcrypto import jwk, jws

ALGORITHMS = {"HS256": {"kty": "oct", "size": 256}, "RS256": {"kty": "RSA", "size": 2048},
              "ES256": {"kty": "EC", "crv": "P-256"}, "EdDSA": {"kty": "OKP", "crv": "Ed25519"}}
CLAIMS = json.dumps({"iss": "https://id.example.org", "sub": "a", "né": ["<&>", 1, None]})


def b64(data):
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() or "-"


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Speaker:
    """The program `jws`: one question, one answer."""

    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def say(self, *words):
        self.child.stdin.write(" ".join(words) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().rstrip("\n")
        return answer.startswith("ok"), answer[3:]

    def ask(self, *words):
        fine, text = self.say(*words)
        assert fine, f"{words[0]}: {text}"
        return text

    def accepts(self, *words):
        return self.say(*words)[0]

    def close(self):
        self.child.stdin.close()
        assert self.child.wait() == 0, "the program ended badly"


def theirs(token, key, alg):
    """The bytes that jwcrypto finds signed, or None."""
    try:
        found = jws.JWS()
        found.allowed_algs = [alg]
        found.deserialize(token)
        found.verify(key, alg=alg)
        return found.payload
    except Exception:  # a refusal has many names there
        return None


def their_token(key, alg, header=None):
    made = jws.JWS(CLAIMS)
    made.allowed_algs = [alg]
    made.add_signature(key, alg, json.dumps(header or {"alg": alg}), None)
    return made.serialize(compact=True)


def pair(ours, alg):
    """A new key of ours, as jwcrypto holds it: whole, and what everyone may know."""
    ours.ask("generate", alg, alg, f"{alg}-key")
    whole = jwk.JWK.from_json(unb64(ours.ask("private", alg)).decode())
    if alg == "HS256":
        return whole, whole
    return whole, jwk.JWK.from_json(unb64(ours.ask("public", alg)).decode())


def our_token_is_read_by_jwcrypto(ours, alg):
    _, judge = pair(ours, alg)
    assert theirs(ours.ask("sign", alg, b64(CLAIMS)), judge, alg) == CLAIMS.encode()


def its_token_is_read_by_us(ours, alg):
    signer, _ = pair(ours, alg)
    for header in ({"alg": alg}, {"alg": alg, "typ": "JWT", "kid": f"{alg}-key"}):
        token = their_token(signer, alg, header)
        assert unb64(ours.ask("verify", alg, token)) == CLAIMS.encode()


def a_token_of_another_key_is_refused_by_both(ours, alg):
    _, judge = pair(ours, alg)
    token = their_token(jwk.JWK.generate(**ALGORITHMS[alg]), alg)
    assert theirs(token, judge, alg) is None
    assert not ours.accepts("verify", alg, token)


def its_keys_are_read_by_us(ours, alg):
    key = jwk.JWK.generate(**ALGORITHMS[alg])
    token = their_token(key, alg)
    forms = [("jwk", "a", b64(key.export()))]
    if alg != "HS256":
        forms += [("jwk", "b", b64(key.export_public())),
                  ("pem", "c", b64(key.export_to_pem(True, None)), "-"),
                  ("pem", "d", b64(key.export_to_pem()), "-")]
    for form in forms:
        ours.ask(*form)
        assert unb64(ours.ask("verify", form[1], token)) == CLAIMS.encode(), form[1]
        if alg != "HS256":
            assert ours.ask("thumbprint", form[1]) == key.thumbprint(), form[1]
    assert theirs(ours.ask("sign", "a", b64(CLAIMS)), key, alg) == CLAIMS.encode()


def our_thumbprint_is_its_thumbprint(ours, alg):
    _, judge = pair(ours, alg)
    if alg != "HS256":
        assert ours.ask("thumbprint", alg) == judge.thumbprint()


def the_password_of_a_file_is_not_asked_for(ours, alg):
    if alg == "HS256":
        return
    key = jwk.JWK.generate(**ALGORITHMS[alg])
    assert not ours.accepts("pem", "e", b64(key.export_to_pem(True, b"x")), "-")


def what_is_forged_is_refused_by_both(ours, alg):
    _, judge = pair(ours, alg)
    forged = [{"alg": "none"}, {"alg": "None"}, {"alg": "nOnE"}, {"alg": ""},
              {"alg": alg.lower()}, {"alg": "HS512"}, {"alg": "HS256" if alg != "HS256" else "RS256"},
              {"alg": alg, "crit": ["exp"], "exp": 1}, {"alg": alg, "crit": ["b64"], "b64": 1},
              [alg]]
    for header in forged:
        token = ours.ask("raw", alg, b64(json.dumps(header)), b64(CLAIMS))
        assert theirs(token, judge, alg) is None, f"jwcrypto accepts {header}"
        assert not ours.accepts("verify", alg, token), f"we accept {header}"


def what_the_token_brings_is_refused_by_us(ours, alg):
    """jwcrypto leaves these to whoever asks it."""
    pair(ours, alg)
    brought = [{"alg": None}, {"jku": "http://127.0.0.1:9/"}, {"x5u": "http://127.0.0.1:9/"},
               {"jwk": {"kty": "oct", "k": "AAAA"}}, {"x5c": ["AAAA"]}, {"kid": "../../dev/null"},
               {"kid": "' OR 1=1--"}, {"kid": "k" * 65}, {"kid": "other"}]
    for member in brought:
        token = ours.ask("raw", alg, b64(json.dumps({"alg": alg, **member})), b64(CLAIMS))
        fine = ours.accepts("verify", alg, token)
        assert not fine, f"we accept {member}"


def what_is_changed_is_judged_alike(ours, alg):
    _, judge = pair(ours, alg)
    good = ours.ask("sign", alg, b64(CLAIMS))
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def meaning(token):
        return [unb64(part) for part in token.split(".")]

    for i in range(300):
        at = i * 7919 % len(good)
        token = good[:at] + digits[(i * 31 + 17) % 64] + good[at + 1:]
        mine = ours.accepts("verify", alg, token)
        if mine != (theirs(token, judge, alg) is not None):
            assert not mine and meaning(token) == meaning(good), f"judged differently: {token}"


CHECKS = [our_token_is_read_by_jwcrypto, its_token_is_read_by_us,
          a_token_of_another_key_is_refused_by_both, its_keys_are_read_by_us,
          our_thumbprint_is_its_thumbprint, the_password_of_a_file_is_not_asked_for,
          what_is_forged_is_refused_by_both, what_the_token_brings_is_refused_by_us,
          what_is_changed_is_judged_alike]


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    ours = Speaker(sys.argv[1])
    failed = 0
    for check in CHECKS:
        for alg in ALGORITHMS:
            try:
                check(ours, alg)
            except AssertionError as why:
                failed += 1
                print(f"not ok {check.__name__} {alg}: {why}")
    ours.close()
    print(f"{len(CHECKS) * len(ALGORITHMS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
