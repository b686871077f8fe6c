"""Signing in, versions and the site."""

import tableauserverclient as TSC

from client import PAT, URL, OLD_URL, MOVED_URL, administrator, check, jwt, named, refused, server, user


@check("auth.sign_in_with_personal_access_token", "auth.sign_out")
def a_pat_opens_one_session():
    """A PAT signs in; a second sign-in with it ends the first session, `401002`"""
    first, second = server(), server()
    auth = TSC.PersonalAccessTokenAuth(*PAT, site_id="marketing")
    with first.auth.sign_in_with_personal_access_token(auth):
        assert first.site_id and first.user_id and first.auth_token
        assert first.workbooks.get()[1].total_available == 7
        second.auth.sign_in_with_personal_access_token(auth)
        assert refused(first.workbooks.get, TSC.FailedSignInError) == "401002"
        first._set_auth(second.site_id, second.user_id, second.auth_token, "marketing")
    assert not first.is_signed_in()
    wrong = TSC.PersonalAccessTokenAuth(PAT[0], "wrong", site_id="marketing")
    assert refused(lambda: server().auth.sign_in(wrong), TSC.FailedSignInError) == "401001"
    nowhere = TSC.PersonalAccessTokenAuth(*PAT, site_id="nowhere")
    assert refused(lambda: server().auth.sign_in(nowhere), TSC.FailedSignInError) == "401001"


@check("auth.sign_in", "auth.switch_site")
def a_password_opens_sessions():
    """User name and password sign in; a wrong password is `401001`; server administrators act as others"""
    client = administrator()
    assert refused(
        lambda: server().auth.sign_in(TSC.TableauAuth("bea@example.com", "x", site_id="marketing")), TSC.FailedSignInError
    ) == "401001"
    ana = named(client.users.get()[0], "ana@example.com")
    other = server()
    other.auth.sign_in(TSC.TableauAuth("root@example.com", "root's password", "marketing", user_id_to_impersonate=ana.id))
    assert other.user_id == ana.id
    there = TSC.SiteItem("Sandbox", "sandbox")
    client.auth.switch_site(there)
    assert client.workbooks.get()[1].total_available == 0


@check("auth.sign_in_with_json_web_token")
def a_connected_app_does_what_its_scopes_say():
    """The JWT of a connected app signs in once; without the scope of a method that is `401002`"""
    sign_in = lambda token: server().auth.sign_in_with_json_web_token(TSC.JWTAuth(token, site_id="marketing"))
    token = jwt(["tableau:content:read", "tableau:views:*"])
    client = server()
    client.auth.sign_in_with_json_web_token(TSC.JWTAuth(token, site_id="marketing"))
    view = client.views.get()[0][0]
    client.views.populate_csv(view)
    assert b"".join(view.csv).startswith(b"Region")
    assert refused(client.jobs.get, TSC.FailedSignInError) == "401002"
    for bad in (
        token,
        jwt([], minutes=11),
        jwt([], minutes=-1),
        jwt([], secret="wrong"),
        jwt([], subject="no-such-user"),
        jwt([], aud="x"),
        jwt([], iss="x"),
    ):
        assert refused(lambda: sign_in(bad), TSC.FailedSignInError) == "401001"


@check("server_info.get")
def the_version_is_negotiated():
    """`use_server_version` finds the newest version; an old server has less; a wrong pod redirects"""
    client = TSC.Server(URL)
    assert client.server_info.get().rest_api_version == "3.29"
    client.use_server_version()
    assert client.version == "3.29"
    old = server(OLD_URL)
    assert old.version == "3.8"
    old.auth.sign_in(TSC.PersonalAccessTokenAuth(*PAT, site_id="marketing"))
    assert old.webhooks.get()[0] == []
    old.version = "3.29"
    assert refused(old.workbooks.get) == "404001"
    moved = TSC.Server(MOVED_URL)
    moved.version = "3.29"
    moved.auth.sign_in(TSC.TableauAuth("ana@example.com", "ana's password", site_id="marketing"))
    assert moved.auth_token


@check("sites.get_by_id", "sites.get_by_name")
def the_site_is_found():
    """By LUID and name; for administrators, others get `403000`"""
    client = administrator()
    site = client.sites.get_by_id(client.site_id)
    assert (site.name, site.content_url, site.state) == ("Marketing", "marketing", "Active")
    assert client.sites.get_by_name("Marketing").id == site.id
    yuki = user("yuki")
    assert refused(lambda: yuki.sites.get_by_id(yuki.site_id)) == "403000"
