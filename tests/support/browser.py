"""A visitor's browser: Debian's Chromium, without a window, driven by Selenium. `tools/bootstrap browser` installs it.

https://www.selenium.dev/documentation/webdriver/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
T = TypeVar("T")
PASSING = (ElementClickInterceptedException, ElementNotInteractableException, StaleElementReferenceException)
PATIENCE = 60.0  # seconds for what a page shows
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # these tests run as root
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1280,1000",
)


class Browser:
    """A browser with one tab. `folder` gets the screenshots, which are numbered."""

    def __init__(self, driver: Chrome, folder: Path) -> None:
        self.driver = driver
        self._folder = folder
        self._shots = 0

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, selector: str) -> WebElement:
        """Return the first visible element of a CSS selector, as soon as there is one."""
        return self._awaited(selector, lambda: next(one for one in self._all(selector) if one.is_displayed()))

    def has(self, selector: str) -> bool:
        """Return whether there is a visible element now."""
        return any(one.is_displayed() for one in self._all(selector))

    def gone(self, selector: str) -> None:
        """Wait until nothing visible has a CSS selector."""
        self._awaited(f"page without {selector}", lambda: not self.has(selector))

    def click(self, selector: str, closing: str = "") -> None:
        """Click at an element as soon as it stands still, and nothing covers it.

        `closing` is the button of a dialog that is closed as often as it comes.
        """
        places: list[dict[str, int]] = []

        def clicked() -> bool:
            if closing and self.has(closing):
                places.clear()
                self.find(closing).click()
                return False
            element = self.find(selector)
            places.append(element.rect)
            if places[-2:-1] != places[-1:]:
                return False
            element.click()
            return True

        self._awaited(selector, clicked)

    def fill(self, selector: str, text: str) -> None:
        """Replace the text of a field, again if a script of the page has put something there meanwhile."""

        def filled() -> bool:
            field = self.find(selector)
            field.clear()
            field.send_keys(text)
            return field.get_property("value") == text

        self._awaited(selector, filled)

    def choose_file(self, selector: str, file: Path) -> None:
        """Give a file to a field, which pages usually hide behind a button."""
        field = self._awaited(selector, lambda: next(iter(self._all(selector))))
        field.send_keys(str(file))

    @property
    def text(self) -> str:
        """The text that the page shows."""
        return self.find("body").text

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        self._awaited(f"the text '{text}'", lambda: text in self.text)

    def type(self, *keys: str) -> None:
        """Type where the cursor is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def is_loaded(self, selector: str) -> bool:
        """Return whether the picture of a CSS selector was fetched and decoded."""
        picture = self.find(selector)
        complete = "return arguments[0].complete"
        self._awaited(f"complete {selector}", lambda: self.driver.execute_script(complete, picture))
        return int(self.driver.execute_script("return arguments[0].naturalWidth", picture)) > 0

    def shoot(self, name: str) -> Path:
        """Save a screenshot, and return its path."""
        self._shots += 1
        path = self._folder / f"{self._shots:02}-{name}.png"
        assert self.driver.save_screenshot(str(path))
        return path

    def _all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def _awaited(self, what: str, attempt: Callable[[], T]) -> T:
        """Return the first result that counts as true. Elements can be missing, covered or replaced meanwhile."""
        wait = WebDriverWait(self.driver, PATIENCE, ignored_exceptions=(StopIteration, *PASSING))
        try:
            return wait.until(lambda _driver: attempt())
        except TimeoutException as error:
            seen = f"See {self.shoot('failed')}. It shows: {self._all('body')[0].text[:2000]}"
            raise AssertionError(f"{self.driver.current_url} shows no {what}. {seen}") from error


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Start a browser, and end it after the block. Its cookies and its cache are in `folder`."""
    for program in (CHROMIUM, DRIVER):
        assert program.exists(), f"{program} is missing; `tools/bootstrap browser` installs it."
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    driver = Chrome(options, Service(str(DRIVER), log_output=str(folder / "driver.log")))
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()
