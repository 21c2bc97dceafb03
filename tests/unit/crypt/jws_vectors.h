/*
 * jws_vectors.h - published keys and tokens (RFC 7515 A, RFC 7638 3.1, RFC 8037 A), the same keys in
 * every form they come in, and keys that nobody may use here.
 */
#ifndef TEST_JWS_VECTORS_H
#define TEST_JWS_VECTORS_H

/* clang-format off */
/* RFC 7515 A.2.1 */
#define RSA_PRIVATE_JWK \
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx" \
	"HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32" \
	"690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W" \
	"TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmo" \
	"udF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\",\"d\":\"Eq" \
	"5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx" \
	"9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3" \
	"E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehN" \
	"YTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l" \
	"2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ\",\"p\":\"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH" \
	"_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2K" \
	"KDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc\",\"q\":\"uQPEfgm" \
	"VtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6u" \
	"l7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689r" \
	"jcJIDEz9RWdc\",\"dp\":\"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3" \
	"QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7" \
	"tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0\",\"dq\":\"h_96-mK1R_7glhsum81dZxjTnYynP" \
	"bZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2" \
	"w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU\",\"qi\":\"IY" \
	"d7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fh" \
	"d_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-Z" \
	"QwVK0JKSHuLFkuQ3U\"}"

#define RSA_PUBLIC_JWK \
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx" \
	"HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32" \
	"690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W" \
	"TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmo" \
	"udF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"

#define RSA_TOKEN \
	"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA" \
	"6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat" \
	"0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t" \
	"1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07" \
	"Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv" \
	"Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77" \
	"Rw"

/* RFC 7515 A.3.1 */
#define EC_PRIVATE_JWK \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"d\":\"jpsQnnGQmL-YBIffH1136" \
	"cspYG6-0iY7X1fCE9-E9LI\"}"

#define EC_PUBLIC_JWK \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

#define EC_TOKEN \
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA" \
	"6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4Ga" \
	"wxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

/* RFC 7515 A.4: another curve and another hash */
#define P521_PUBLIC_JWK \
	"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjc" \
	"BpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL0" \
	"7l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}"

#define P521_TOKEN \
	"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cw" \
	"nZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpR" \
	"wcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"

/* RFC 8037 A.1 */
#define ED_PRIVATE_JWK \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2" \
	"A\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

#define ED_PUBLIC_JWK \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR" \
	"o\"}"

/* RFC 8037 A.3 */
#define ED_THUMBPRINT \
	"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

/* RFC 8037 A.4; what it signs is no JSON */
#define ED_TOKEN \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnL" \
	"WG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

/* RFC 7638 3.1 */
#define NAMED_JWK \
	"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAA" \
	"tVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5" \
	"n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7" \
	"d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRw" \
	"r3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"" \
	"RS256\",\"kid\":\"2011-04-29\"}"

#define NAMED_THUMBPRINT \
	"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

/* The same keys as PEM. */
#define RSA_PKCS8 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n" \
	"jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n" \
	"aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n" \
	"juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n" \
	"ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n" \
	"toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n" \
	"VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n" \
	"PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n" \
	"O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n" \
	"kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n" \
	"XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n" \
	"4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n" \
	"pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n" \
	"0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n" \
	"lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n" \
	"kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n" \
	"rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n" \
	"kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n" \
	"5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n" \
	"9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n" \
	"evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n" \
	"yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n" \
	"OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n" \
	"tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n" \
	"ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n" \
	"03k2+ZQwVK0JKSHuLFkuQ3U=\n" \
	"-----END PRIVATE KEY-----\n"

#define RSA_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n" \
	"NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n" \
	"P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n" \
	"9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n" \
	"EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n" \
	"FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n" \
	"oQIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"

#define RSA_TRADITIONAL \
	"-----BEGIN RSA PRIVATE KEY-----\n" \
	"MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0\n" \
	"l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC\n" \
	"gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX\n" \
	"ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\n" \
	"Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8\n" \
	"q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S\n" \
	"bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf\n" \
	"UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O\n" \
	"n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK\n" \
	"Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f\n" \
	"40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU\n" \
	"bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE\n" \
	"tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG\n" \
	"BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE\n" \
	"fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs\n" \
	"p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD\n" \
	"zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7\n" \
	"DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4\n" \
	"U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm\n" \
	"27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN\n" \
	"54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC\n" \
	"Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S\n" \
	"0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z\n" \
	"NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE\n" \
	"6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1\n" \
	"-----END RSA PRIVATE KEY-----\n"

#define RSA_PKCS1_PUBLIC \
	"-----BEGIN RSA PUBLIC KEY-----\n" \
	"MIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0l8W2\n" \
	"6mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMs\n" \
	"D1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5\n" \
	"z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv\n" \
	"b3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8q2et\n" \
	"hFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQAB\n" \
	"-----END RSA PUBLIC KEY-----\n"

#define EC_PKCS8 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n" \
	"H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n" \
	"7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n" \
	"-----END PRIVATE KEY-----\n"

#define EC_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n" \
	"6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n" \
	"-----END PUBLIC KEY-----\n"

#define EC_TRADITIONAL \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n" \
	"AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n" \
	"focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n" \
	"-----END EC PRIVATE KEY-----\n"

#define ED_PKCS8 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"

#define ED_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" \
	"-----END PUBLIC KEY-----\n"

/* Keys that are not for us. */
#define EC_ENCRYPTED \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" \
	"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjY7bcFIPHzqQICCAAw\n" \
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBWWfGl0FN8UDT+2HlpjJgoEgZCn\n" \
	"0Jgps3hA9ywQMZu7J3PEA+dkJm9AWau3X6xpnURhxspeVt4l+nREI4H9k7ub5xte\n" \
	"T763rJjAJkkp8KuGp9c4sykLAu6m2l35TdNoufqrUi6hsmX8uRni1FtoNjWboBC/\n" \
	"qCNvPHP/lk3x7AHcU+McDUhazv/FzaPzPK3cvQqhGvyk4les49nMrYiTfmM+RJ8=\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\n"

#define EC_TRADITIONAL_ENCRYPTED \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"Proc-Type: 4,ENCRYPTED\n" \
	"DEK-Info: AES-256-CBC,A8F872C7A16EE7CCB03DC374D30054F6\n" \
	"\n" \
	"C+22ySRNIEWBwx66lX6c8vlohSP/pXIXaV+Yu+EC2gcXgp7fXmqvppKrEqf9ZRvo\n" \
	"k2LCrsDcxLbjXUapjnN7ipRtD/kQqTFLLV0ie9NeXj9OpkpI+er2aUrny0j5bAbR\n" \
	"rfrAdBYO01/hOzJj5IpdFVG9NQfXH9MBojDFCTY/3p0=\n" \
	"-----END EC PRIVATE KEY-----\n"

#define P384_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEk4Rm7QgjaF2QvvKpU/Az8gy8u3p2oImo\n" \
	"O+KFyrGp99CkqD26BZBf8RyzS4kWxuwC/xV7XN3kboytffqaoE4DDJwR6FzX/I1k\n" \
	"Ph3qAVFR7rfV6IJRZ0kO3RJjIpCfz8oJ\n" \
	"-----END PUBLIC KEY-----\n"

#define K256_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEvXG+mJuYzzN7cvKDZPg/QIiG/DchzdMd\n" \
	"BYURXaLeTL2ScjPv0uYEroQObUJkVR+SM99v6Q30eeOd5bCfn4mYzA==\n" \
	"-----END PUBLIC KEY-----\n"

#define ED448_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MEMwBQYDK2VxAzoA62MGDzsE6sqvC5iA27VOKZfdHvm5wCvG3kB8Bh6ca86Zbj3p\n" \
	"RUp5K+CL5IXwcTt4xh2ELKSyA6+A\n" \
	"-----END PUBLIC KEY-----\n"

#define X25519_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VuAyEAQnzAstU0/PE4GNbJigrU+BLo/QNiibIOtcU0G+f06jQ=\n" \
	"-----END PUBLIC KEY-----\n"

#define RSA1024_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqb3oLmNZRyyiARbsJwUPBzSjh\n" \
	"KPEfoyM5L8SARtQg5WNmoTFiCkTIYjGZFHVYGTYOAXiUMJ274ROq6axY0Bphkmk5\n" \
	"qUGfFVKYz4XxD4BbDFSUrsxanPjgU0RUvQ8V08PxPEHG4GfKEgJSV3v3F2ssKjVg\n" \
	"Qt47Gg3mWVYTYTjP7wIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"

#define RSA_THREE_PRIMES \
	"-----BEGIN RSA PRIVATE KEY-----\n" \
	"MIIE2QIBAQKCAQEAv4H+rUNC7Ih0hKktX9LjNBZtA/MaQMCX9n9DjhQZ4g3bM/zB\n" \
	"YvatlbMU6BFYMjbNKDzLPhBNmPFNk4MSL6u6QqdkAaDOWEzHX03c9B4R+SSLlm3+\n" \
	"FZlf2IEDXVuncK0aa9RhxBHYpsL+rzlvcIrq+KCAH8ko1xbVHw/g8hoaRvqb4OmO\n" \
	"ug99O2o/nIygQ0dyhjE+IggglTuYfwRW0WZRSQou0Wp7iNa4lIevSXTxNwRqTUF/\n" \
	"pAXu4Gu2SUKg8D/BroIREPxW8zKg5EXX3U7yV0tOH7rOvTiHcbMRYrcTyRGhFr0c\n" \
	"31mvK5ioHjzbStAhuFMF/eHxKzblE1QLVbl57wIDAQABAoIBABjhx/g1DAX1eMYf\n" \
	"wQB5QwHqhAGGXXvaSiRBxsI4BGDlkfyAM5QrHsSbfvTkBASKMD+xHmsS7TIY8A5h\n" \
	"ckR1WH7+hrTbctPwLdtJH5MsMQOg5u4FnoSbse8k3yVsRNcYLW2n0CKqdirkgPQ1\n" \
	"uQOSM4v2y64gOodmpyo3azd38QGjxsYFXMzFYsz1qdCl2p77xwyjdIf8Y1Pe2WGF\n" \
	"swyZR3aW5MT01ACN+Lgp9NFg7NxysnaxLcXEPMzd7fL4ezBAEtBvntYTjy7CKfbe\n" \
	"WSNZwzdBuRFZbrtDMQ4+TPOeg5hJ/0e+kDFcadDABVT/y9t/P2o2K33RllW8QjST\n" \
	"iKc+qgECVgflY5/IteCjagJIEDagWPYEiydsCU3wGODz8JtPl5vsRLfArkZNJBho\n" \
	"zzACaG9DBFIoOTZMFi0zdnxf6CH0v+8iNDCabozHnyNMlyuCtRDsIxrCVcrXAlYH\n" \
	"lKZiHEq2GmBNpDIZosdrbGJJCVEqfe4Raaa2/z7VQJDA31t8aaM9+WXGCvXVqOiL\n" \
	"ZTNQ4U2i28osvPefcI2xW4buslPGYKIFeXpJz+FDL88AWrrLCQJWBpnqDf14wJMd\n" \
	"30Zr959agGMQCycxKC1gP0DxmIaUE1EVqiG2ESQQ1y9Yd6SrtsjqZd0m55P4vlVV\n" \
	"62kq4qiBheSsiS2y2pNRIeu4PjIKOlmQh6CMpQUCVgFly8Nc+f1XIZhPBJmrZF8O\n" \
	"7ZQPrrJJ44G8W+tzZe9FZyrYQ3LNuzYq7DO2Q5rv+Gfy8aIg2AKFyWG0OWdhBg7E\n" \
	"FD2gDUgO+vBNdFl1hU+w2dZz4+qZAlYAuP4UPsJJGXYWRZ2oOaLG8sOZ2khOW5OM\n" \
	"/dNpXUZOVYDFJhXB6jtRMiPA1D1kccc9jzNrkgzdhazhPxokj5KEp78/vX6V8Ie2\n" \
	"rlSGYULctc0+e9ZiPzCCAQwwggEIAlYDMww4KVTQPu+VJ9Ym2pSCIttMXyByFz3i\n" \
	"QHGzI2pD4HTRr7sqfaMEucP6QJt2M64Pj7ZbQcRwFVuLhO1ZUdDX7eG/AuMFKtg6\n" \
	"eyvF3fSVFzHXiCEeoQJWAwRoOKqZxo4jyUk5R4kJVrTilWJ8qbvLa4yU7XivpXWP\n" \
	"FZShcQ/s5e7+qAm30sAoHZrNQcCDLaSmoavpXjuvNYOsSkPBrsTaCETSYhbQqq2m\n" \
	"HnnNqiECVgK+HgI/oGdnhDude7ZhROtDAat2hn+D5uIetsCkl3G2tQIh0OPMWANW\n" \
	"qfnqephSZDOQJb/+SoaSMtaYL918mPP8+rU/Yo4VT8rs/ifrYh+PTogtJ14x\n" \
	"-----END RSA PRIVATE KEY-----\n"

#define RSA8200_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIEIzANBgkqhkiG9w0BAQEFAAOCBBAAMIIECwKCBAIAuz1bLUKC6B7RQwPvyPwl\n" \
	"AGfAZAicl5dCGTo/Wp7Y9KcZko8C6XzjeY6cwf4yoGSSMvM1q5F6AwB5DloeCwN8\n" \
	"LLUxBNY16Woe+5nwsmEpaEX3cHUsxqFDMASHeQ4eLFk4AlxQDcxzausbXHuZapUf\n" \
	"BLy4i4xcuVCUm5/c5gVOZ1xxOEFTPKgrdMQy9FgWQN2Ye07U3j3RNSFZFAtCfYQ3\n" \
	"VOcxSg4ntGibxxxLS+rFtrFFW/MdfBH/0CnjcoyVNmsQcN6TL8Rg4f5+mXfoyms2\n" \
	"67ELussZ2eJXmuVJPnSYd5StcuMTB5aOWSgmoI1V1B6pmts2f2ZVIRGkFneYNUqZ\n" \
	"NwvHlKhgPUyAdSRr7X4dcoo/ohDjqJNCZRCjU68/oDdpJ9GyEy5X6k5MvGYKHwoo\n" \
	"EIWFoC1HYOOI/B7FIcYOO/SA40GLHJFq9ActXJ19jM0QDY2v2rmNDz3OurAnnMkz\n" \
	"Xk3DHY9wqTT9jcduQ0+BX5wAq0bjUTfkMUMdNJTDS652YBXkji+uWdlyJisU532h\n" \
	"g9/SuQwY1iwCKUn5MHSWlIb99FHpmgCCy7Tke9CSw/slPIjPa4GFdNH3w0fv2OXb\n" \
	"RLjgHQTirqr40xcFy2QcJ4rVZFoRe3jxPQHMw/JlUBy6YTawKkmR4bV57159MIlZ\n" \
	"DxcDfdUzAlApwVSFIaxqQvp9N2jy7q4tek5nq7GoNH1voilO/rWu8fY5dK7Rei/q\n" \
	"kOTIv+ZcWCGqmcfy10JhcFY3QrVdrdMCp7nZXezCdCcd8TMPJ4V9fNppG+PMKQxE\n" \
	"eSOiy/2PN0BVm544Mlb53hgo5F98UdXGJ7Cu5EsSlJ6ys19zo2hqbiPqww0A3/fl\n" \
	"MbNKO9yXLkgqCniBnMFE5jqc1kAA201AhpL186RiUb8mr3O3WvMpP2QULIZ/4H6m\n" \
	"Mts1Ws32k/olXcARn+HB/qibXAt8WGHDqSmLUtZ3m3gPNk88XDlr9Gy59OKjAgL4\n" \
	"s2behlaG+7ztE7peCahN4A1R6Cm2IjhDeUoP9k6vV/y6PAHGH2WBVvKkdN98MmLm\n" \
	"20UuKcvUtDVeRPU1TKe9g+24Eo6aVKPz+VifX1waWRUnJwBbsHA3rFUdnAxlsNU3\n" \
	"/r0eSymSxSs5zoZV077tCMPIhHAY/G3xQFC1ncXdWYdW/9fVxDIfdVY+Qdiolkmw\n" \
	"ESS4zs85zLO9hIg8N5jJLyrj8zsrvimovwkzgE446w7/ilhr9YaDCANKI91V1V2R\n" \
	"px9yATwKMkjnGepv4sC1PgytsKzcG5vd6OtPg24VcwOV1ZE476lUIWs2/Dr6+8Es\n" \
	"K9f4fgZMfgrnnH7hBYA+T2Sd0EsuU5ZsxJvq5lc+N5QY1AFfo1IjaZ9yg51aOVVd\n" \
	"98MCAwEAAQ==\n" \
	"-----END PUBLIC KEY-----\n"

#define RSA_PSS_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAI1w4zY0DDxM9Cstk+vQ9qN+\n" \
	"rxVephYDIiyg4Y14cl+hme3nFKZjW+eJdAb1ca+grmvQdLLsT2Mv7vHxZgQF6SbI\n" \
	"qqJTej4KDsC8ZCnFhi2tJjOo0BWv948WGx9kWgsKzgXbMJwbCOsCWh+IdO7loVU7\n" \
	"f1dB9UL+XGQIfld8oW1z91gyS27kG+5vZVMgcXqheoi9uu+SVwNmjtLbiNjD2JVw\n" \
	"RuyeCH2qAGiSMzV4+0ojLAl9r5yq1ZNLuCcaWgtGcsYEoAN3jF8flVLbdxow/gw2\n" \
	"WoSYRIarrDdOAp/TG13K17UtnkphQ88DpG3dYMhSt07gge33e84VqU3S/L5/oysC\n" \
	"AwEAAQ==\n" \
	"-----END PUBLIC KEY-----\n"

#define CERTIFICATE_PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBgDCCASegAwIBAgIUQ3kH8Iw1VgsNNvyNXBVGqLIoTCMwCgYIKoZIzj0EAwIw\n" \
	"FjEUMBIGA1UEAwwLZXhhbXBsZS5vcmcwHhcNMjYxMTIxMTIzNTAwWhcNMzYxMTE4\n" \
	"MTIzNTAwWjAWMRQwEgYDVQQDDAtleGFtcGxlLm9yZzBZMBMGByqGSM49AgEGCCqG\n" \
	"SM49AwEHA0IABLNpsohDIFLRmevTR729jct2CBIP5lbXByYhd4N9jRYcHWHckKkE\n" \
	"Ti7vXBnpOXjhFjYj3KBw+C/QPvCmFrzZ9ZmjUzBRMB0GA1UdDgQWBBTVgxveJNTA\n" \
	"bkFY4b/LRyWzLjVpUzAfBgNVHSMEGDAWgBTVgxveJNTAbkFY4b/LRyWzLjVpUzAP\n" \
	"BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIAy18JVZf91t1g6MmqJT\n" \
	"BInm1s76MePt95zAzT2YFALvAiBtbl0QGj6mKT3dcHeY9UaFmwlGhuiUd+mEK/Tf\n" \
	"Xvh9Qw==\n" \
	"-----END CERTIFICATE-----\n"

/* P-256, described by its numbers */
#define EC_EXPLICIT_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
	"AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
	"///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
	"NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n" \
	"RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n" \
	"//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABH/Nzidw9sRdQYPL7m/bS3tY\n" \
	"BzM1e+nvE7rPbjx70VRFx/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0=\n" \
	"-----END PUBLIC KEY-----\n"

/* the same with the public key as the generator, so that 1 is its private key */
#define EC_FORGED_SPKI \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
	"AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
	"///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
	"NgiG5wSTamZ44ROdJreBn36QBEEEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9u\n" \
	"PHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQIhAP////8AAAAA\n" \
	"//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABH/Nzidw9sRdQYPL7m/bS3tY\n" \
	"BzM1e+nvE7rPbjx70VRFx/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0=\n" \
	"-----END PUBLIC KEY-----\n"

#define RSA1024_PUBLIC_JWK \
	"{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"sWAe0UOIkNef9Sga9ZU-Yd1UNNxk3sMXD3BvBL0BFrliSCB" \
	"RpfPaJfsx60PKFfJ-5rOJnJc8hCgxKNt0kUH4fwEfZs4lZN3nSrVbETFA7Lh_NLeWKXIB5HYI3c4" \
	"7vDeXOsFqySs7HdHuZXydiKSfZ-o6k4hwi3DDYep6KnET0uc\",\"kid\":\"small\"}"

#define OTHER_EC_D \
	"Akjk3DJA2j_DCDgWpKKnmsZ6ppJ711ERx-0_HpPshvo"
/* clang-format on */

#endif
